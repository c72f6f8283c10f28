"""The event log as the SDK needs it: the port, Kafka behind it, and a double in memory."""
