"""What can be read from the diff of a change without judging it: lines, kinds of files, functions, tests."""
