"""What the definitions ask of a ticket or change: policies of three levels, moves of the lifecycle, and pins."""
