import java.io.File;
import java.io.StringReader;
import java.io.StringWriter;
import java.net.URL;
import java.util.ArrayList;
import java.util.List;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.Source;
import javax.xml.transform.Templates;
import javax.xml.transform.stream.StreamResult;
import javax.xml.transform.stream.StreamSource;
import javax.xml.validation.Schema;
import javax.xml.validation.SchemaFactory;
import net.sf.saxon.TransformerFactoryImpl;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

/** Checks UBL documents against the schemas of UBL 2.1 and the rules of EN 16931; prints a line for each violation. */
public final class CheckUbl {
    private static final String SCHEMAS = "external/schemas/ubl21/maindoc/UBL-";
    private static final String RULES = "external/schematron/1.3.13/ubl/EN16931-UBL-validation.xslt";
    private static final String SVRL = "http://purl.oclc.org/dsdl/svrl";

    private final Schema invoice = schema("Invoice");
    private final Schema creditNote = schema("CreditNote");
    private final Templates rules;

    private CheckUbl() throws Exception {
        rules = new TransformerFactoryImpl().newTemplates(source(RULES));
    }

    /** Files in, violations out; exit status 1 when there are any. */
    public static void main(String[] files) throws Exception {
        CheckUbl checks = new CheckUbl();
        boolean good = true;
        for (String file : files) {
            for (String violation : checks.violations(new File(file))) {
                System.out.println(file + ": " + violation);
                good = false;
            }
        }
        System.out.println("checked " + files.length);
        System.exit(good ? 0 : 1);
    }

    private List<String> violations(File file) throws Exception {
        List<String> found = new ArrayList<>();
        String root = parse(new InputSource(file.toURI().toString())).getLocalName();
        try {
            (root.equals("CreditNote") ? creditNote : invoice).newValidator().validate(new StreamSource(file));
        } catch (org.xml.sax.SAXException violation) {
            found.add("schema: " + violation.getMessage());
        }
        StringWriter report = new StringWriter();
        rules.newTransformer().transform(new StreamSource(file), new StreamResult(report));
        Element svrl = parse(new InputSource(new StringReader(report.toString())));
        if (svrl.getElementsByTagNameNS(SVRL, "fired-rule").getLength() == 0) {
            found.add("no rule of EN 16931 looked at it");
        }
        NodeList failed = svrl.getElementsByTagNameNS(SVRL, "failed-assert");
        for (int i = 0; i < failed.getLength(); i++) {
            Element violation = (Element) failed.item(i);
            found.add(violation.getAttribute("location") + ": " + violation.getTextContent().strip());
        }
        return found;
    }

    private static Element parse(InputSource source) throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        return factory.newDocumentBuilder().parse(source).getDocumentElement();
    }

    /** The document's schema with those that it imports without saying from where. */
    private static Schema schema(String document) throws Exception {
        SchemaFactory factory = SchemaFactory.newInstance(XMLConstants.W3C_XML_SCHEMA_NS_URI);
        return factory.newSchema(new Source[] {
            source("schemas/xmldsig-core-schema.xsd"),
            source("schemas/CCTS_CCT_SchemaModule.xsd"),
            source("schemas/XAdES01903v132-201601.xsd"),
            source("schemas/XAdES01903v141-201601.xsd"),
            source(SCHEMAS + document + "-2.1.xsd"),
        });
    }

    private static Source source(String resource) {
        URL url = CheckUbl.class.getClassLoader().getResource(resource);
        if (url == null) {
            throw new IllegalStateException("not among the jars: " + resource);
        }
        return new StreamSource(url.toExternalForm());
    }
}
