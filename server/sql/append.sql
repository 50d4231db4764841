SELECT a.last, a.at FROM alai.append($1, alai.from_millis($2)) a
