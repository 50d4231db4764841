SELECT t.status, count(*) AS n FROM alai.tasks t GROUP BY t.status ORDER BY 2 DESC, 1
