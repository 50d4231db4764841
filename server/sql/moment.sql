SELECT alai.moment() AS now
