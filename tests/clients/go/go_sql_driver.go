// go-sql-driver/mysql: prepares made by the server and parameters interpolated by the client, pools, contexts,
// several results, LOAD DATA LOCAL from a reader.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
)

var host, port, user, password, schema, sqlFolder string

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func sharedSQL(name string) string {
	text, err := os.ReadFile(filepath.Join(sqlFolder, name+".sql"))
	must(err)
	return string(text)
}

func say(what ...interface{}) { fmt.Println(what...) }

func outcome(err error) string {
	var refused *mysql.MySQLError
	if errors.As(err, &refused) {
		return fmt.Sprint("error ", refused.Number, " ", refused.Message)
	}
	return fmt.Sprint(err)
}

func open(options, database string) *sql.DB {
	db, err := sql.Open("mysql", fmt.Sprintf("%s:%s@tcp(%s:%s)/%s?charset=utf8mb4&maxAllowedPacket=67108864&%s", user, password,
		host, port, database, options))
	must(err)
	return db
}

func shown(value interface{}) string {
	switch typed := value.(type) {
	case nil:
		return "NULL"
	case []byte:
		if bytes.IndexFunc(typed, func(r rune) bool { return r < 32 || r == 0xFFFD }) >= 0 {
			return "hex " + hex.EncodeToString(typed)
		}
		return "'" + string(typed) + "'"
	}
	return fmt.Sprintf("%T(%v)", value, value)
}

func show(rows *sql.Rows, err error) {
	if err != nil {
		say("  ", outcome(err))
		return
	}
	defer rows.Close()
	for more := true; more; more = rows.NextResultSet() {
		columns, err := rows.ColumnTypes()
		must(err)
		for _, column := range columns {
			length, haveLength := column.Length()
			nullable, _ := column.Nullable()
			precision, scale, _ := column.DecimalSize()
			say("  column:", column.Name(), column.DatabaseTypeName(), column.ScanType(), length, haveLength, nullable, precision, scale)
		}
		for rows.Next() {
			values := make([]interface{}, len(columns))
			targets := make([]interface{}, len(columns))
			for n := range values {
				targets[n] = &values[n]
			}
			must(rows.Scan(targets...))
			parts := make([]string, len(values))
			for n, value := range values {
				parts[n] = shown(value)
			}
			say("  row:", strings.Join(parts, " | "))
		}
		if rows.Err() != nil {
			say("  rows end with", outcome(rows.Err()))
		}
	}
	if rows.Err() != nil {
		say("  results end with", outcome(rows.Err()))
	}
}

func exec(title string, db interface {
	Exec(string, ...interface{}) (sql.Result, error)
}, statement string, arguments ...interface{}) {
	result, err := db.Exec(statement, arguments...)
	if err != nil {
		say(title, "->", outcome(err))
		return
	}
	affected, _ := result.RowsAffected()
	last, _ := result.LastInsertId()
	say(title, "->", affected, last)
}

func types(db *sql.DB) {
	exec("create", db, sharedSQL("types"))
	exec("insert", db, sharedSQL("rows"))
	show(db.Query("SELECT * FROM types ORDER BY id"))
	show(db.Query("SELECT * FROM types WHERE id >= ? ORDER BY id", 2))
	insert, err := db.Prepare("INSERT INTO types (c_varchar, c_int, c_double, c_blob, c_datetime, c_bool) VALUES (?, ?, ?, ?, ?, ?)")
	must(err)
	for n := 1; n <= 5; n++ {
		var number interface{} = -n
		if n == 3 {
			number = nil
		}
		result, err := insert.Exec(fmt.Sprintf("O'Ünï\\\"%d 😀", n), number, float64(n)/7, []byte{0, 1, 254, 255, byte(n)},
			time.Date(2024, 2, 29, 12, n, 0, 123456000, time.UTC), n%2 == 0)
		must(err)
		last, _ := result.LastInsertId()
		say("prepared insert:", last)
	}
	must(insert.Close())
	_, err = db.Prepare("SELECT * FROM missing WHERE a = ?")
	say("missing:", outcome(err))
	show(db.Query("SELECT id, c_varchar, c_int, c_double, c_blob, c_datetime, c_bool FROM types WHERE c_int < ? ORDER BY id LIMIT ?", 0, 4))
}

func transactions(db *sql.DB) {
	tx, err := db.BeginTx(context.Background(), &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	must(err)
	exec("rolled back", tx, "INSERT INTO numbers VALUES (?, ?, '')", 5000, "rolled back")
	must(tx.Rollback())
	tx, err = db.Begin()
	must(err)
	exec("kept", tx, "INSERT INTO numbers VALUES (?, ?, '')", 5001, "kept")
	exec("duplicate", tx, "INSERT INTO numbers VALUES (?, ?, '')", 5001, "again")
	must(tx.Commit())
	for _, wrong := range []string{"SELEKT 1", "INSERT INTO numbers VALUES (1)", "USE missing_schema"} {
		exec(wrong, db, wrong)
	}
	show(db.Query("SELECT id, (SELECT l.id FROM numbers l WHERE l.id <= n.id) FROM numbers n ORDER BY id"))
	show(db.Query("SELECT id, (SELECT l.id FROM numbers l WHERE l.id <= n.id) FROM numbers n WHERE n.id > ? ORDER BY id", 0))
}

func streams(db *sql.DB) {
	exec("create", db, "CREATE TABLE numbers (id INT PRIMARY KEY, name VARCHAR(50), filler TEXT)")
	exec("numbers", db, sharedSQL("numbers"))
	rows, err := db.Query("SELECT id, name, filler FROM numbers WHERE id > ? ORDER BY id", 10)
	must(err)
	digest := sha256.New()
	count := 0
	for ; rows.Next(); count++ {
		var id int
		var name, filler string
		must(rows.Scan(&id, &name, &filler))
		fmt.Fprint(digest, id, name, filler)
	}
	say("streamed:", count, hex.EncodeToString(digest.Sum(nil)))
	rows, err = db.Query("SELECT id FROM numbers ORDER BY id")
	must(err)
	say("left half-way:", rows.Next(), rows.Close())
	inTime, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	_, err = db.ExecContext(inTime, "DO SLEEP(5)")
	say("cancelled:", err)
	var wait sync.WaitGroup
	sums := make([]int, 8)
	for n := range sums {
		wait.Add(1)
		go func(n int) {
			defer wait.Done()
			for m := 0; m < 50; m++ {
				var value int
				must(db.QueryRow("SELECT id + ? FROM numbers WHERE id = ?", n, m+1).Scan(&value))
				sums[n] += value
			}
		}(n)
	}
	wait.Wait()
	say("together:", sums)
}

func largeRow(db *sql.DB) {
	exec("create", db, "CREATE TABLE large (id INT PRIMARY KEY, content LONGBLOB)")
	content := make([]byte, 17*1024*1024)
	for n := range content {
		content[n] = byte(n)
	}
	exec("large", db, "INSERT INTO large VALUES (1, ?)", content)
	var length int
	var digest string
	var back []byte
	must(db.QueryRow("SELECT LENGTH(content), SHA2(content, 256), content FROM large").Scan(&length, &digest, &back))
	say("large:", length, digest, bytes.Equal(content, back))
}

func run(options string) {
	say("options:", options)
	admin := open(options, "")
	_, err := admin.Exec("DROP DATABASE IF EXISTS " + schema)
	must(err)
	exec("create", admin, "CREATE DATABASE "+schema+" CHARACTER SET utf8mb4")
	must(admin.Close())
	db := open(options+"&multiStatements=true&time_zone=%27%2B00%3A00%27", schema)
	defer db.Close()
	types(db)
	streams(db)
	transactions(db)
	largeRow(db)
	exec("procedure", db, sharedSQL("procedure"))
	connection, err := db.Conn(context.Background())
	must(err)
	show(connection.QueryContext(context.Background(), "CALL two_results(3, @counted)"))
	show(connection.QueryContext(context.Background(), "SELECT @counted"))
	must(connection.Close())
	show(db.Query("SELECT 1; SELECT 2 AS two, 'x'; UPDATE types SET c_int = 1; SELECT 3"))
	mysql.RegisterReaderHandler("rows", func() io.Reader {
		return strings.NewReader("7000\tname\tünï 😀\n7001\tname\t\\N\n")
	})
	exec("load", db, "LOAD DATA LOCAL INFILE 'Reader::rows' INTO TABLE numbers CHARACTER SET utf8mb4")
	exec("file is not allowed", db, "LOAD DATA LOCAL INFILE 'none.txt' INTO TABLE numbers")
	say("ping:", db.Ping())
}

func main() {
	host, port, user, password, schema, sqlFolder = os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5], os.Args[6]
	say("unknown schema:", outcome(open("", "missing_schema").Ping()))
	right := password
	password = "wrong"
	say("wrong password:", outcome(open("", "").Ping()))
	password = right
	run("interpolateParams=false&parseTime=false")
	run("interpolateParams=true&parseTime=false&clientFoundRows=true")
	say("end of script")
}
