"""Assumptions: what traders expect of a reference, frozen by the server, judged by the final, summed up."""
