"""The document an operator writes, and how it is read and checked."""
