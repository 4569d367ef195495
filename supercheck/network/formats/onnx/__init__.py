"""ONNX graphs that are stacks of linear layers and ReLUs, read exactly.

The onnx library only parses; tensors are decoded, and external data is opened, here. Imported when such a file is read.
"""
