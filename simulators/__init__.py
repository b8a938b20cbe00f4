"""Plants as the outside world sees them: physics, faults, gateways, recordings.

Knows topics and payloads, never the rules that judge them.
"""
