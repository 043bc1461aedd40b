"""The compiled contact solver behind `ground`: its problem, residuals and Gauss-Newton steps."""
