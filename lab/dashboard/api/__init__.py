"""What is asked over HTTP: routes, who may ask, the documentation and the page itself.

May import: every room of the dashboard.
"""
