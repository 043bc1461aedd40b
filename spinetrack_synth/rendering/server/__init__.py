"""An UnrealCV server over the embedded renderer: any UnrealCV script can talk to it."""
