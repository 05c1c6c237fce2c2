"""Questions that are asked of finished runs: why did it go wrong, and what would have helped?"""
