SELECT h.ledger, h.seq, h.at, h.task, h.pruned, h.restoring, alai.read_moment() AS now FROM alai.head h
