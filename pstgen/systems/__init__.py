"""One file, one system. A system *learns and answers*."""
