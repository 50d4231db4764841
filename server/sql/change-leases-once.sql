SELECT o.call, (o.answer).task, (o.answer).title, (o.answer).status, (o.answer).status_raw, (o.answer).holder, (o.answer).until,
  (o.answer).ttl, (o.answer).fence, (o.answer).blockers, (o.answer).my_fence, (o.answer).my_end, (o.answer).act,
  (o.answer).wanted, (o.answer).new_until, (o.answer).moment, o.known
FROM alai.take_leases_once($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) o
