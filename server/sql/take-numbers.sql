UPDATE alai.head SET task = $1
