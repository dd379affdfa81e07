"""The only place where adapters meet use cases: `build(settings)` answers a Site."""
