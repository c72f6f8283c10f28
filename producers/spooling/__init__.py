"""Facts that may never be lost, kept on disk until Kafka has acknowledged them."""
