"""The pose library, sampling within limits, ground contact."""
