-- One statement with a result of about 2 MB in 16 000 rows.

function prepare()
  local connection = sysbench.sql.driver():connect()
  connection:query("CREATE TABLE large_result (id INT PRIMARY KEY, c CHAR(120) NOT NULL)")
  connection:query("SET SESSION cte_max_recursion_depth = 20000")
  connection:query("INSERT INTO large_result WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n " ..
                   "WHERE i < 16000) SELECT i, RPAD(i, 120, 'x') FROM n")
end

function thread_init()
  connection = sysbench.sql.driver():connect()
end

function event()
  connection:query("SELECT * FROM large_result")
end
