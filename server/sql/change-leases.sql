SELECT l.call, l.task, l.title, l.status, l.status_raw, l.holder, l.until, l.ttl, l.fence, l.blockers, l.my_fence, l.my_end,
  l.act, l.wanted, l.new_until, l.moment
FROM alai.take_leases($1, $2, $3, $4, $5, $6, $7, $8, $9, '{}', NULL) l
