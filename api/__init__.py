"""The public door: REST in the shapes of Cartesia's API, so that its SDKs work against this server. It is thin."""
