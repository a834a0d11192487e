"""What is told over the WebSocket while it happens.

May import: `store`, `trainings`.
"""
