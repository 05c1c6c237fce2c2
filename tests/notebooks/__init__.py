"""Every notebook of the folder, run as a student would."""
