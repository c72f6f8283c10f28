"""The facts-in side: SDK for training jobs and nodes, and the instrumented ONNX node."""
