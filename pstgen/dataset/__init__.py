"""What lies on the disk: rows, targets, the files beside them."""
