"""The exercises of the course: a folder a topic, `contents` in the order of the course."""
