"""The dashboard: a server that starts, watches and steers trainings and looks inside their models, and its page.

The run folder is the truth. Whatever the server keeps in memory is a cache of it, and whoever else starts or steers a
run with the other commands is seen here, too.
"""
