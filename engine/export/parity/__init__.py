"""The parity certificate: an export is replayed by the tool it is meant for, and compared with the playground.

prompts.py       what is asked: held-out tickets of the run, and questions that belong to this program
reference.py     what the playground answers
replay.py        what the export answers, in a fresh process that loads nothing of this program (tools/)
compare.py       how far the two are apart
tolerances.py    how far they may be apart, for each format, and why
certificate.py   pass or fail, in words and as JSON
verify.py        the same again, on any computer
"""
