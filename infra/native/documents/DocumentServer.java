import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import java.util.List;
import org.h2.mvstore.MVStore;

/** The embedded document server over one H2 file: {@code DocumentServer HOST PORT FILE}. */
public final class DocumentServer {
    /** Wire version 13 is MongoDB 5.0's. Today's drivers refuse the server's own default of 8. */
    private static final MongoVersion VERSION = new MongoVersion() {
        @Override
        public List<Integer> getVersionArray() {
            return List.of(5, 0, 0);
        }

        @Override
        public int getWireVersion() {
            return 13;
        }
    };

    private DocumentServer() {}

    public static void main(String[] arguments) {
        if (arguments.length != 3) {
            System.err.println("usage: DocumentServer HOST PORT FILE");
            System.exit(2);
        }
        MVStore store = new MVStore.Builder().fileName(arguments[2]).cacheSize(16).open();
        // What a kill -9 can lose is what was written since the last commit; H2's default is a second.
        store.setAutoCommitDelay(500);
        KeyedBackend backend = new KeyedBackend(store);
        backend.version(VERSION);
        MongoServer server = new MongoServer(backend);
        // Stops accepting, ends the connections and closes the file.
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
        server.bind(arguments[0], Integer.parseInt(arguments[1]));
        System.err.println("listening on " + server.getLocalAddress());
    }
}
