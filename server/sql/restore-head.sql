UPDATE alai.head SET ledger = $1, seq = greatest(seq, $2), at = greatest(at, alai.from_millis($3)), pruned = greatest(pruned, $4),
  task = greatest(task, $5), restoring = $6
