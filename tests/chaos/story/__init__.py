"""An import of thousands on real services that are killed, stopped and cut off meanwhile: `make chaos`."""
