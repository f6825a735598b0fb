"""What is asked of scenes, and what one expects before looking."""
