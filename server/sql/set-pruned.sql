UPDATE alai.head SET pruned = $1 WHERE pruned < $1
