"""Images, and what is known of them."""
