"""The OpenSim model as arrays: kinematics, scaling, limits and the angles of the spine."""
