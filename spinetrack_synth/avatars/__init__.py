"""Body shapes, the skin bound to OpenSim bodies, clothes, hair, and the cache of body data."""
