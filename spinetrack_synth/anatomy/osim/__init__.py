"""The parts of an .osim file: frames, joints, coordinates, couplers and other constraints."""
