"""What is made anew and replaced: rekeying, its crossings, reauthentication, and when."""
