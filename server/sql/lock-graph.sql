SELECT alai.lock_graph()
