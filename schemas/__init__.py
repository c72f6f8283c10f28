"""What a fact is: Avro schemas, the typed events they describe, and the bytes that carry them."""
