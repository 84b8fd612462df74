// MariaDB Connector/J: text and server-side prepares, rewritten and pipelined batches, cursor fetch, streams,
// callable statements, metadata.

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.sql.*;
import java.util.Arrays;
import java.util.HexFormat;

public final class ConnectorJ {
    private static String host, port, user, password, schema;
    private static Path sqlFolder;

    interface Action {
        Object run() throws Exception;
    }

    private static void say(Object... what) {
        StringBuilder line = new StringBuilder();
        for (Object part : what) line.append(line.length() == 0 ? "" : " ").append(shown(part));
        System.out.println(line);
    }

    private static String shown(Object value) {
        if (value instanceof byte[] bytes) return "hex " + HexFormat.of().formatHex(bytes);
        if (value instanceof int[] numbers) return Arrays.toString(numbers);
        return String.valueOf(value);
    }

    private static void attempt(String title, Action action) throws Exception {
        try {
            say(title, "->", action.run());
        } catch (SQLException error) {
            // The driver puts "(conn=N)" in front.
            say(title, "->", error.getErrorCode(), error.getSQLState(), error.getMessage().replaceAll("\\(conn=\\d+\\)", "(conn=N)"));
        }
    }

    private static String sql(String name) throws Exception {
        return Files.readString(sqlFolder.resolve(name + ".sql"));
    }

    private static Connection connect(String options) throws SQLException {
        return DriverManager.getConnection("jdbc:mariadb://" + host + ":" + port + "/?allowPublicKeyRetrieval=true&useSSL=false"
                + "&serverTimezone=UTC&" + options, user, password);
    }

    private static void show(ResultSet result) throws SQLException {
        ResultSetMetaData meta = result.getMetaData();
        for (int n = 1; n <= meta.getColumnCount(); n++) {
            say("  column:", meta.getColumnLabel(n), meta.getColumnTypeName(n), meta.getColumnClassName(n), meta.getPrecision(n),
                meta.getScale(n), meta.isNullable(n), meta.isSigned(n), meta.getTableName(n));
        }
        while (result.next()) {
            StringBuilder row = new StringBuilder();
            for (int n = 1; n <= meta.getColumnCount(); n++) {
                String value;
                try {
                    value = shown(result.getObject(n));
                } catch (SQLException error) {
                    value = "not shown: " + error.getMessage();
                }
                row.append(n == 1 ? "" : " | ").append(value);
            }
            say("  row:", row);
        }
    }

    private static void showAll(Statement statement, boolean first) throws SQLException {
        boolean rows = first;
        while (true) {
            if (rows) show(statement.getResultSet());
            else if (statement.getUpdateCount() == -1) return;
            else say("  no rows:", statement.getUpdateCount());
            rows = statement.getMoreResults();
        }
    }

    private static void types(Connection connection) throws Exception {
        try (Statement statement = connection.createStatement()) {
            statement.execute("SET time_zone = '+00:00'");
            statement.execute(sql("types"));
            say("insert:", statement.executeUpdate(sql("rows")), statement.getWarnings());
            show(statement.executeQuery("SELECT * FROM types ORDER BY id"));
        }
        try (PreparedStatement all = connection.prepareStatement("SELECT * FROM types WHERE id >= ? ORDER BY id")) {
            for (int bound : new int[] {1, 4}) {
                all.setInt(1, bound);
                show(all.executeQuery());
            }
        }
        try (PreparedStatement insert = connection.prepareStatement(
                "INSERT INTO types (c_varchar, c_int, c_double, c_blob, c_decimal, c_datetime) VALUES (?, ?, ?, ?, ?, ?)",
                Statement.RETURN_GENERATED_KEYS)) {
            for (int n = 1; n <= 5; n++) {
                insert.setString(1, "O'Ünï\\\"" + n + " 😀");
                if (n == 3) insert.setNull(2, Types.INTEGER);
                else insert.setInt(2, -n);
                insert.setDouble(3, n / 7.0);
                insert.setBytes(4, new byte[] {0, 1, (byte) 0xFE, (byte) 0xFF, (byte) n});
                insert.setBigDecimal(5, new BigDecimal("1234567890.0123456789"));
                insert.setTimestamp(6, Timestamp.valueOf("2024-02-29 12:34:56.789012"));
                say("insert with parameters:", insert.executeUpdate());
                ResultSet keys = insert.getGeneratedKeys();
                while (keys.next()) say("  key:", keys.getLong(1));
            }
        }
        attempt("missing", () -> connection.prepareStatement("SELECT * FROM missing WHERE a = ?").executeQuery());
        show(connection.createStatement().executeQuery("SELECT id, c_varchar, c_int, c_double, c_blob FROM types WHERE id > 4 ORDER BY id"));
    }

    private static void batches(Connection connection) throws Exception {
        connection.createStatement().execute("CREATE TABLE batched (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(100) UNIQUE, n INT)");
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO batched (name, n) VALUES (?, ?)")) {
            for (int n = 0; n < 500; n++) {
                insert.setString(1, "ünï " + n);
                insert.setInt(2, n);
                insert.addBatch();
            }
            say("batch:", insert.executeBatch().length);
            for (int n : new int[] {900, 5, 901}) {
                insert.setString(1, "ünï " + n);
                insert.setInt(2, n);
                insert.addBatch();
            }
            try {
                say("batch:", insert.executeBatch());
            } catch (BatchUpdateException error) {
                say("batch failed:", error.getErrorCode(), error.getUpdateCounts());
            }
        }
        try (Statement statement = connection.createStatement()) {
            for (int n = 0; n < 50; n++) statement.addBatch("UPDATE batched SET n = n + 1 WHERE id <= " + n);
            say("batch of texts:", statement.executeBatch());
            show(statement.executeQuery("SELECT COUNT(*), SUM(n) FROM batched"));
        }
    }

    private static void streams(Connection connection) throws Exception {
        connection.createStatement().execute("CREATE TABLE numbers (id INT PRIMARY KEY, name VARCHAR(50), filler TEXT)");
        connection.createStatement().execute(sql("numbers"));
        for (int fetchSize : new int[] {0, 1, 100}) {
            try (PreparedStatement statement = connection.prepareStatement("SELECT id, name, filler FROM numbers WHERE id > ? ORDER BY id")) {
                statement.setFetchSize(fetchSize);
                statement.setInt(1, 10);
                ResultSet rows = statement.executeQuery();
                MessageDigest digest = MessageDigest.getInstance("SHA-256");
                int count = 0;
                for (; rows.next(); count++) digest.update((rows.getInt(1) + rows.getString(2) + rows.getString(3)).getBytes(StandardCharsets.UTF_8));
                say("fetch size:", fetchSize, count, digest.digest());
            }
            // Left half-way.
            try (Statement statement = connection.createStatement()) {
                statement.setFetchSize(fetchSize);
                ResultSet rows = statement.executeQuery("SELECT id FROM numbers ORDER BY id");
                say(rows.next(), rows.next(), rows.getInt(1));
            }
        }
    }

    private static void transactions(Connection connection) throws Exception {
        connection.setAutoCommit(false);
        connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
        Statement statement = connection.createStatement();
        statement.executeUpdate("INSERT INTO numbers VALUES (5000, 'rolled back', '')");
        connection.rollback();
        statement.executeUpdate("INSERT INTO numbers VALUES (5001, 'kept', '')");
        Savepoint here = connection.setSavepoint("here");
        statement.executeUpdate("INSERT INTO numbers VALUES (5002, 'not kept', '')");
        connection.rollback(here);
        attempt("duplicate", () -> statement.executeUpdate("INSERT INTO numbers VALUES (5001, 'again', '')"));
        connection.commit();
        connection.setAutoCommit(true);
        for (String wrong : new String[] {"SELEKT 1", "INSERT INTO numbers VALUES (1)", "USE missing_schema",
                "SELECT id, (SELECT l.id FROM numbers l WHERE l.id <= n.id) FROM numbers n ORDER BY id"}) {
            attempt(wrong, () -> statement.execute(wrong));
        }
        show(statement.executeQuery("SELECT id, name FROM numbers WHERE id >= 5000"));
    }

    private static void several(Connection connection) throws Exception {
        connection.createStatement().execute(sql("procedure"));
        try (CallableStatement call = connection.prepareCall("{CALL two_results(?, ?)}")) {
            call.setInt(1, 3);
            call.registerOutParameter(2, Types.INTEGER);
            showAll(call, call.execute());
            say("out:", call.getInt(2));
        }
        Statement statement = connection.createStatement();
        attempt("several", () -> {
            showAll(statement, statement.execute("SELECT 1; SELECT 2 AS two, 'x'; UPDATE types SET c_int = 1; SELECT 3"));
            return "done";
        });
    }

    private static void largeRow(Connection connection) throws Exception {
        connection.createStatement().execute("CREATE TABLE large (id INT PRIMARY KEY, content LONGBLOB)");
        byte[] content = new byte[17 * 1024 * 1024];
        for (int n = 0; n < content.length; n++) content[n] = (byte) n;
        PreparedStatement insert = connection.prepareStatement("INSERT INTO large VALUES (1, ?)");
        insert.setBytes(1, content);
        insert.executeUpdate();
        ResultSet row = connection.prepareStatement("SELECT LENGTH(content), SHA2(content, 256), content FROM large").executeQuery();
        row.next();
        say("large:", row.getInt(1), row.getString(2), Arrays.equals(content, row.getBytes(3)));
    }

    private static void run(String options) throws Exception {
        say("options:", options);
        try (Connection connection = connect("allowMultiQueries=true&allowLocalInfile=true&" + options)) {
            Statement statement = connection.createStatement();
            statement.execute("DROP DATABASE IF EXISTS " + schema);
            statement.execute("CREATE DATABASE " + schema + " CHARACTER SET utf8mb4");
            connection.setCatalog(schema);
            DatabaseMetaData meta = connection.getMetaData();
            say(meta.getDatabaseProductName(), meta.getDatabaseProductVersion(), meta.getDriverVersion());
            types(connection);
            batches(connection);
            streams(connection);
            transactions(connection);
            several(connection);
            largeRow(connection);
            Files.writeString(Path.of("rows.txt"), "7000\tname\tünï 😀\n7001\tname\t\\N\n");
            attempt("load", () -> statement.executeUpdate("LOAD DATA LOCAL INFILE 'rows.txt' INTO TABLE numbers CHARACTER SET utf8mb4"));
            attempt("file is missing", () -> statement.executeUpdate("LOAD DATA LOCAL INFILE 'none.txt' INTO TABLE numbers"));
            statement.setQueryTimeout(1);
            attempt("timeout", () -> statement.executeQuery("SELECT SLEEP(5), COUNT(*) FROM numbers WHERE id = 1 OR SLEEP(5) = 0").next());
            say("valid:", connection.isValid(5), connection.getSchema(), connection.getCatalog());
            show(meta.getColumns(schema, null, "numbers", "%"));
        }
    }

    public static void main(String[] arguments) throws Exception {
        host = arguments[0];
        port = arguments[1];
        user = arguments[2];
        password = arguments[3];
        schema = arguments[4];
        sqlFolder = Path.of(arguments[5]);
        attempt("unknown schema", () -> DriverManager.getConnection("jdbc:mariadb://" + host + ":" + port
                + "/missing_schema?allowPublicKeyRetrieval=true", user, password));
        run("useServerPrepStmts=false");
        run("useServerPrepStmts=true");
        run("rewriteBatchedStatements=true");
        run("useServerPrepStmts=true&useBatchMultiSend=true");
        run("useServerPrepStmts=true&useBatchMultiSend=false&useBulkStmts=false&usePipelineAuth=false");
        say("end of script");
    }
}
