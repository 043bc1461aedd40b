"""Inverse kinematics in 3D: a model's coordinates from markers, over time.

What is asked: `setup_files` (OpenSim's set-ups and tasks), `problem`, `ranges`, `topology`. One
frame: `objective` (marker residuals, their gradient and Hessian), `frame_solver`; from nowhere:
`restarts`, `equivalent_angles`, `observability`, `solver`, `cold_start`. Many frames: `trajectory`,
`sequence`, `branch_recovery`, `continuity`. All of it in one call: `inverse_kinematics`, which
returns a `solution`.
"""

from spinetrack_synth.anatomy.ik.inverse_kinematics import solve
from spinetrack_synth.anatomy.ik.problem import CoordinateGoal
from spinetrack_synth.anatomy.ik.ranges import FAINT_PRIOR_M
from spinetrack_synth.anatomy.ik.solution import CoordinateLeap, Solution

__all__ = ["FAINT_PRIOR_M", "CoordinateGoal", "CoordinateLeap", "Solution", "solve"]
