"""The realtime conversation engine: pure asyncio, no Django, no database.

Times are seconds, on the call's clock unless a name says otherwise.
Audio is 16 kHz mono signed 16-bit little-endian PCM in frames of 20 ms (640 bytes).
"""
