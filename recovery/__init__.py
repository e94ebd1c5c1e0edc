"""Fleet Recovery: find, fix and prove machines that a bad update took down."""

__version__ = "0.1.0"
