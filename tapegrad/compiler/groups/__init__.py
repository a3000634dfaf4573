"""Groups: steps that go through large arrays together, block by block, on several threads."""
