"""Training: stage 1, the image encoder against perceptual targets; stage 2, the whole model with the perceptual reward."""
