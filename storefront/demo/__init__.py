"""The demo shop: its content, its people's stories, its travels in time."""
