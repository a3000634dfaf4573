"""NumPy's functions, typed and differentiable, under NumPy's own names and signatures."""
