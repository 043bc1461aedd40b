"""Drawing with Unreal Engine, through UnrealCV."""
