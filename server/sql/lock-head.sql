-- For what gives out new task numbers: they rise with the commits, without gaps.
SELECT h.seq, h.at, h.task, h.ledger, h.pruned, h.restoring FROM alai.head h FOR NO KEY UPDATE
